"""Settings from TOML: what a merchant writes, and what is said when it is wrong."""

from __future__ import annotations

import pickle
from pathlib import Path
from traceback import format_exception

import pytest

from omsync.config import EnvironmentVariable, Options, Settings, load_settings, parse_settings, read_units
from omsync.config.structuring import findings
from omsync.errors import SettingsError
from omsync.settings import (
    CartSettings,
    Frequency,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
)

WHOLE = """
[merchant]
name = "acme"
mode = { per = "warehouse", disabled = ["Amazon FBA US"] }
subtract_locked = true
frequency = "every 1 hour"
[merchant.source]
token = { env = "ORDER_MANAGER_TOKEN" }
base_url = "https://order-manager.example"

[[cart]]
name = "acme-us"
merchant = "acme"
alias = "Shopify US"
location = "Reno DC"
only = ["MUG-01", "MUG-02"]
exclude = ["OLD-01"]
units = { "six-pack" = 6 }
frequency = "every 15 minutes"
[cart.rules]
percent = 90
[cart.overrides."MUG-01"]
leave_out = ["Ohio DC"]
[cart.overrides."MUG-01".rules]
max_quantity = 10
[cart.sink]
shop = "acme"
headers = { "X-Access-Token" = { env = "SHOP_TOKEN" } }
retries = [1, 2]

[[cart]]
name = "edi"
location = ["Reno DC", "Ohio DC"]
breakdown = true
location_map = { "Reno DC" = "0001" }
enabled = false
"""

MERCHANT = '[merchant]\nmode = { per = "warehouse" }\n'


def problems_of(text: str, *, code: str = "settings_file") -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text)
    assert caught.value.code == code
    return caught.value.problems


def merchant_with(line: str) -> MerchantSettings:
    return parse_settings(MERCHANT + line).merchant


def test_a_whole_file_gives_the_values_that_python_would_write() -> None:
    settings = parse_settings(WHOLE)

    assert settings.merchant == MerchantSettings(
        name="acme", mode=PerWarehouse(disabled={"Amazon FBA US"}), frequency=Frequency.every(hours=1)
    )
    assert settings.cart("acme-us") == CartSettings(
        name="acme-us",
        alias="Shopify US",
        location="Reno DC",
        only={"MUG-01", "MUG-02"},
        exclude={"OLD-01"},
        units={"six-pack": 6},
        frequency=Frequency.every(minutes=15),
        rules=QuantityRules(percent=90),
        overrides={"MUG-01": SkuOverride(leave_out={"Ohio DC"}, rules=QuantityRules(max_quantity=10))},
    )
    assert settings.cart("edi") == CartSettings(
        name="edi",
        location=("Reno DC", "Ohio DC"),
        breakdown=True,
        location_map={"Reno DC": "0001"},
        enabled=False,
    )
    assert [(cart.merchant, cart.settings.name) for cart in settings.carts] == [
        ("acme", "acme-us"),
        ("acme", "edi"),
    ]
    assert type(settings.cart("edi")) is CartSettings
    assert type(settings.merchant) is MerchantSettings


def test_a_merchant_in_sales_channel_mode_is_written_in_one_line() -> None:
    assert parse_settings('merchant = { mode = { per = "sales_channel" } }').merchant == MerchantSettings(
        mode=PerSalesChannel()
    )


@pytest.mark.parametrize(
    ("written", "frequency"),
    [
        ('"every hour"', Frequency.every(hours=1)),
        ('"every 90 minutes"', Frequency.every(minutes=90)),
        ('"every 2 hours"', Frequency.every(hours=2)),
        ('"daily at 06:00"', Frequency.daily("06:00")),
        (
            '"daily at 06:00, 18:00 in America/New_York"',
            Frequency.daily("06:00", "18:00", zone="America/New_York"),
        ),
        ("{ minutes = 60 }", Frequency.every(minutes=60)),
        ('{ at = ["06:30"], zone = "Europe/Berlin" }', Frequency.daily("06:30", zone="Europe/Berlin")),
    ],
)
def test_a_frequency_is_written_in_words_or_as_a_table(written: str, frequency: Frequency) -> None:
    assert merchant_with(f"frequency = {written}").frequency == frequency


@pytest.mark.parametrize(
    "frequency",
    [
        Frequency.every(minutes=75),
        Frequency.every(hours=1),
        Frequency.every(hours=7),
        Frequency.daily("06:00", "18:00", zone="Asia/Tokyo"),
    ],
)
def test_a_printed_frequency_can_be_pasted_into_the_file(frequency: Frequency) -> None:
    assert merchant_with(f'frequency = "{frequency}"').frequency == frequency


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("subtract_lokked = true", "merchant.subtract_lokked: unknown key; did you mean 'subtract_locked'?"),
        ("subtract_locked = 1", "merchant.subtract_locked: must be true or false, not 1 (int)"),
        ('bundle_quantities = "all"', "merchant.bundle_quantities: must be one of 'auto', 'computed',"),
        ('name = ""', "merchant.name: must not be empty"),
        ('frequency = "hourly"', "merchant.frequency: must be such as 'every 90 minutes',"),
        ("frequency = 60", "merchant.frequency: must be a table, not 60 (int)"),
        ('frequency = "every 0 minutes"', "merchant.frequency.minutes: must be at least 1, not 0"),
        ("frequency = { hours = 1 }", "merchant.frequency.hours: unknown key; known: at, minutes, zone"),
        ('frequency = "daily at 25:00"', "merchant.frequency.at: must be times such as '06:30', not '25:00'"),
        (
            'frequency = "daily at 06:00 in Mars"',
            "merchant.frequency: The time zone 'Mars' is not known here.",
        ),
        (
            'frequency = "every 30 minutes"',
            "merchant: The merchant 'default' would be read every 30 minutes; the shortest is an hour. Use",
        ),
    ],
)
def test_a_wrong_line_of_the_merchant_names_path_key_and_value(line: str, problem: str) -> None:
    (found,) = problems_of(MERCHANT + line)

    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("rules = { percent = 120 }", "cart[0].rules.percent: must be at most 100, not 120"),
        ("rules = { percent = 90.0 }", "cart[0].rules.percent: must be a whole number, not 90.0 (float)"),
        ("rules = { percent = '90' }", "cart[0].rules.percent: must be a whole number, not '90' (str)"),
        ("rules = { percent = true }", "cart[0].rules.percent: must be a whole number, not True (bool)"),
        (
            "rules = { max_quantity = '9' }",
            "cart[0].rules.max_quantity: must be a whole number, not '9' (str)",
        ),
        ("rules = { prcent = 90 }", "cart[0].rules.prcent: unknown key; did you mean 'percent'?"),
        ("rules = 90", "cart[0].rules: must be a table, not 90 (int)"),
        (
            "rules = { zero_below = 3, show_at_least = 2 }",
            "cart[0].rules: zero_below=3 and show_at_least=2 contradict each other. zero_below shows 0",
        ),
        ("only = 'MUG-01'", "cart[0].only: must be a list, not 'MUG-01' (str)"),
        ("only = ['MUG-01', 7]", "cart[0].only[1]: must be text, not 7 (int)"),
        ("exclude = ['']", "cart[0].exclude: must not be empty"),
        ("location = 7", "cart[0].location: must be text or a list of text, not 7 (int)"),
        ("location = []", "cart[0].location: is an empty collection. Leave it out"),
        ("location = ['Reno DC', 7]", "cart[0].location[1]: must be text, not 7 (int)"),
        ("units = { six-pack = 0 }", "cart[0].units: must be at least 1, not 0"),
        ("units = { six-pack = '6' }", "cart[0].units.six-pack: must be a whole number, not '6' (str)"),
        ("units = []", "cart[0].units: must be a table, not [] (list)"),
        ("location_map = { a = 'b' }", "cart[0]: The cart 'shop' has a location_map but no breakdown."),
        (
            "overrides = { 'A B' = { leave = [] } }",
            "cart[0].overrides.'A B'.leave: unknown key; did you mean",
        ),
        ("merchant = 'acme'", "cart[0].merchant: there is no merchant 'acme'; known: default"),
        ("sink = 'acme'", "cart[0].sink: must be a table of options"),
        ("units_file = 'units.csv'", "cart[0].units_file: there is no folder to look for it in"),
    ],
)
def test_a_wrong_line_of_a_cart_names_path_key_and_value(line: str, problem: str) -> None:
    (found,) = problems_of(f"{MERCHANT}[[cart]]\nname = 'shop'\n{line}")

    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        ('"warehouse"', 'merchant.mode: must be { per = "warehouse" } or { per = "sales_channel" }, not'),
        ("{}", "merchant.mode.per: must be 'warehouse' or 'sales_channel', not left out"),
        ("{ per = 3 }", "merchant.mode.per: must be 'warehouse' or 'sales_channel', not 3 (int)"),
        ('{ per = "sales-channel" }', "merchant.mode.per: must be 'warehouse' or 'sales_channel', not"),
        (
            '{ per = "warehouse", disable = [] }',
            "merchant.mode.disable: unknown key; did you mean 'disabled'?",
        ),
        (
            '{ per = "sales_channel", disabled = [] }',
            "merchant.mode.disabled: unknown key; known: none",
        ),
        (
            '{ per = "warehouse", disabled = ["A"], counted = ["A"] }',
            "merchant.mode: Warehouses are named both in counted and in disabled: 'A'. Name each",
        ),
    ],
)
def test_a_wrong_mode_names_the_two_that_there_are(mode: str, problem: str) -> None:
    (found,) = problems_of(f"[merchant]\nmode = {mode}")

    assert found.startswith(problem)


def test_all_findings_of_a_file_come_in_one_error() -> None:
    text = """
    colour = "red"
    [merchant]
    subtract_locked = "no"
    [[cart]]
    alias = 5
    rules = { percent = 120, safety_stock = -1 }
    [[cart]]
    name = "b"
    exclude = [1, 2]
    """

    assert problems_of(text) == (
        "merchant.mode: is missing",
        "merchant.subtract_locked: must be true or false, not 'no' (str)",
        "cart[0].name: is missing",
        "cart[0].alias: must be text, not 5 (int)",
        "cart[0].rules.percent: must be at most 100, not 120",
        "cart[0].rules.safety_stock: must be at least 0, not -1",
        "cart[1].exclude[0]: must be text, not 1 (int)",
        "cart[1].exclude[1]: must be text, not 2 (int)",
        "colour: unknown key; known: cart, merchant",
    )


def test_the_error_prints_the_file_the_findings_and_what_to_do() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(MERCHANT + "nam = 'acme'", place="omsync.toml")

    assert str(caught.value) == (
        "omsync.toml: 1 finding\n"
        "  - merchant.nam: unknown key; did you mean 'name'?\n"
        "What to do: Correct the places named and load the file again."
    )


def test_a_file_without_a_merchant_says_so() -> None:
    assert problems_of("") == ("merchant: is missing",)
    assert problems_of("merchant = []") == ("merchant: there must be at least one",)
    assert problems_of("merchant = 'acme'") == ("merchant: must be a list, not 'acme' (str)",)


def test_names_that_are_given_twice_are_refused() -> None:
    mode = 'mode = { per = "warehouse" }\n'
    merchants = f'[[merchant]]\nname = "a"\n{mode}[[merchant]]\nname = "a"\n{mode}'
    carts = f'{MERCHANT}[[cart]]\nname = "x"\n[[cart]]\nname = "x"\nmerchant = "default"\n'

    assert problems_of(merchants) == ("merchant[1].name: 'a' is the name of merchant[0] already",)
    assert problems_of(carts) == ("cart[1].name: 'x' is the name of cart[0] already",)


TWO_MERCHANTS = """
[[merchant]]
name = "a"
mode = { per = "warehouse" }
source = { account = "one" }
[[merchant]]
name = "b"
mode = { per = "sales_channel" }
"""


def test_two_merchants_may_each_have_a_cart_of_one_name_and_then_both_are_named() -> None:
    settings = parse_settings(
        TWO_MERCHANTS + '[[cart]]\nname = "x"\nmerchant = "a"\nsink = { n = 1 }\n[[cart]]\nname = "x"\n'
        'merchant = "b"\nalias = "B"\n'
    )

    assert settings.cart("x", merchant="b").alias == "B"
    assert settings.sink("x", merchant="a") == {"n": 1}
    assert settings.sources["a"] == {"account": "one"}
    for ambiguous in (
        lambda: settings.cart("x"),
        lambda: settings.sink("x"),
        lambda: settings.merchant,
        lambda: settings.source,
    ):
        with pytest.raises(SettingsError, match="a, b") as caught:
            ambiguous()
        assert caught.value.code == "which_merchant"


def test_a_cart_names_its_merchant_when_there_are_several() -> None:
    assert problems_of(TWO_MERCHANTS + '[[cart]]\nname = "x"') == (
        "cart[0].merchant: is missing, and there are several: a, b",
    )


def test_a_cart_that_is_not_in_the_file_gets_a_suggestion() -> None:
    with pytest.raises(SettingsError, match="did you mean 'acme-us'") as caught:
        parse_settings(WHOLE).cart("acme-uk")
    assert caught.value.code == "unknown_cart"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[merchant]\nname = acme", "omsync.toml:2:8: not TOML"),
        ("[merchant]\nname = 'acme", "omsync.toml:2:13: not TOML"),
        ("a = 1\na = 2", "omsync.toml:2:6: not TOML"),
        ("a = 1\nb = '''\nc", "omsync.toml:3:2: not TOML"),
        ("a = " + "9" * 5000, "omsync.toml: not TOML"),
        ("a = " + "[" * 5000, "omsync.toml: not TOML"),
    ],
)
def test_broken_toml_names_line_and_column(text: str, place: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, place="omsync.toml")

    assert caught.value.code == "broken_toml"
    assert caught.value.message.startswith(place)


def test_a_file_is_read_with_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "omsync.toml"
    file.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())

    assert load_settings(file) == load_settings(str(file)) == parse_settings(WHOLE)


def test_a_file_that_is_missing_or_not_text_is_one_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "omsync.toml"
    with pytest.raises(SettingsError, match=r"omsync\.toml") as missing:
        load_settings(file)
    file.write_bytes(b"name = '\xff'")
    with pytest.raises(SettingsError, match="UTF-8") as binary:
        load_settings(file)

    assert (missing.value.code, binary.value.code) == ("no_settings_file", "broken_toml")


SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "line",
    [
        f"token = '{SECRET}'",
        f"apiKey = '{SECRET}'",
        f"API_KEY = '{SECRET}'",
        f"client-secret = '{SECRET}'",
        f"passwords = ['{SECRET}']",
        f"headers = {{ Authorization = '{SECRET}' }}",
        f"secret = {{ first = '{SECRET}' }}",
        f"url = 'https://someone:{SECRET}@shop.example'",
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_repeated(line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(f"{MERCHANT}[merchant.source]\n{line}")

    error = caught.value
    assert error.code == "secret_in_file"
    assert error.problems[0].startswith("merchant.source.")
    assert '{ env = "NAME" }' in error.problems[0]
    assert "replace it" in error.remedy
    assert SECRET not in repr(error) + "".join(format_exception(error))


def test_a_token_written_in_the_place_of_a_table_is_not_repeated() -> None:
    assert SECRET not in str(problems_of(f"{MERCHANT}source = '{SECRET}'"))
    assert SECRET not in str(problems_of(f"{MERCHANT}token = '{SECRET}'"))


def test_options_that_only_sound_like_secrets_are_taken() -> None:
    settings = parse_settings(
        f"{MERCHANT}[merchant.source]\nuse_token = true\nkeyboard = 'qwerty'\nmonkey = 1"
    )

    assert settings.source == {"use_token": True, "keyboard": "qwerty", "monkey": 1}


@pytest.mark.parametrize("written", ["{ env = 5 }", "{ env = '' }", "{ env = 'A', default = 'x' }"])
def test_a_reference_is_one_name_and_nothing_else(written: str) -> None:
    assert problems_of(f"{MERCHANT}source = {{ token = {written} }}") == (
        'merchant.source.token: a reference to an environment variable is written { env = "NAME" }',
    )


def test_secrets_are_looked_up_only_when_asked_and_only_where_the_caller_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORDER_MANAGER_TOKEN", "from the process")
    settings = parse_settings(WHOLE)
    assert settings.source["token"] == EnvironmentVariable("ORDER_MANAGER_TOKEN")

    source = settings.resolve(settings.source, {"ORDER_MANAGER_TOKEN": SECRET})
    sink = settings.resolve(settings.sink("acme-us"), {"SHOP_TOKEN": SECRET})

    assert dict(**source) == {"token": SECRET, "base_url": "https://order-manager.example"}
    assert sink == {"shop": "acme", "headers": {"X-Access-Token": SECRET}, "retries": (1, 2)}
    for secretive in (source, sink, pickle.loads(pickle.dumps(sink))):  # noqa: S301  our own bytes
        assert isinstance(secretive, Options)
        assert SECRET not in repr(secretive)
    assert repr(sink) == "<Options: shop, headers, retries>"


@pytest.mark.parametrize("environment", [{}, {"SHOP_TOKEN": ""}])
def test_a_variable_that_is_not_set_is_named(environment: dict[str, str]) -> None:
    settings = parse_settings(WHOLE)

    with pytest.raises(SettingsError, match="SHOP_TOKEN") as caught:
        settings.resolve(settings.sink("acme-us"), environment)
    assert caught.value.code == "missing_secret"


def test_settings_are_values_that_can_be_compared_hashed_and_pickled() -> None:
    settings = parse_settings(WHOLE)

    assert hash(settings) == hash(parse_settings(WHOLE))
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301  our own bytes
    with pytest.raises(AttributeError):
        settings.carts = ()  # type: ignore[misc]  # a frozen value is the point


def folder_with_units(folder: Path, rows: str, cart: str = "units_file = 'units.csv'") -> Path:
    (folder / "units.csv").write_text(rows, encoding="utf-8")
    file = folder / "omsync.toml"
    file.write_text(
        f"{MERCHANT}[[cart]]\nname = 'first'\n[[cart]]\nname = 'shop'\n{cart}\n", encoding="utf-8"
    )
    return file


def test_units_come_from_a_csv_beside_the_settings_file(tmp_path: Path) -> None:
    settings = load_settings(folder_with_units(tmp_path, "listing_sku,units\nsix-pack,6\n0012,12\n"))

    assert settings.cart("shop").units == {"six-pack": 6, "0012": 12}
    assert settings.cart("first").units == {}


def test_findings_of_the_units_file_are_among_those_of_the_settings(tmp_path: Path) -> None:
    file = folder_with_units(tmp_path, "listing_sku,units\nsix-pack,6.0\n", "units_file = 'units.csv'\nx = 1")

    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert caught.value.problems == (
        "cart[1].x: unknown key; known: " + caught.value.problems[0].partition("known: ")[2],
        "cart[1].units_file: units.csv:2:units: must be a whole number in plain digits, not '6.0'",
    )


def test_units_are_given_in_one_place(tmp_path: Path) -> None:
    file = folder_with_units(tmp_path, "listing_sku,units\n", "units_file = 'units.csv'\nunits = { a = 2 }")

    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert caught.value.problems == ("cart[1].units_file: units are given too; keep one of the two",)


def test_a_missing_units_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(folder_with_units(tmp_path, "", "units_file = 'unit.csv'"))
    assert "unit.csv" in caught.value.problems[0]
    with pytest.raises(SettingsError) as direct:
        read_units(tmp_path / "unit.csv")
    assert direct.value.code == "no_units_file"


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("six-pack,0\n", "units.csv:2:units: must be at least 1, not 0"),
        ("six-pack,\n", "units.csv:2:units: must be a whole number in plain digits, not ''"),
        ("six-pack, 6\n", "units.csv:2:units: must be a whole number in plain digits, not ' 6'"),
        (",6\n", "units.csv:2:listing_sku: must not be empty"),
        ("a,1\na,1\n", "units.csv:3: listing_sku 'a' is given in row 2 already"),
        ("1.23E+05,6\n", "units.csv:2:listing_sku: '1.23E+05' is what a spreadsheet makes"),
    ],
)
def test_a_wrong_row_of_units_names_file_row_and_column(tmp_path: Path, rows: str, problem: str) -> None:
    file = tmp_path / "units.csv"
    file.write_text("listing_sku,units\n" + rows, encoding="utf-8")

    with pytest.raises(SettingsError) as caught:
        read_units(file)
    assert caught.value.code == "units_file"
    assert caught.value.problems[0].startswith(problem)


def test_a_thousand_findings_are_counted_and_not_all_printed() -> None:
    found = problems_of(f"{MERCHANT}[[cart]]\nname = 'x'\nonly = {list(range(1000))}")

    assert len(found) == 101
    assert found[-1] == "and 900 more"


def test_settings_can_be_built_in_python_too() -> None:
    merchant = MerchantSettings(mode=PerSalesChannel())

    assert Settings(merchants={"default": merchant}, sources={}).merchant is merchant


def test_an_error_that_is_no_finding_is_not_hidden_among_them() -> None:
    with pytest.raises(ZeroDivisionError):
        list(findings(ZeroDivisionError()))
