"""The sandbox's quotas, and the faults that a script puts into it."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_calls import ACKNOWLEDGE, RENO, TOTALS, acknowledge, all_pages, ask, get, skus, small, told

from omsync.errors import DecodeError, InvalidValueError, LostAnswerError
from omsync.testing import Fault, OrderManagerSandbox, Throttle


class Ticker:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class TestThrottle:
    def test_an_empty_bucket_answers_429_with_the_milliseconds_that_suffice(self) -> None:
        ticker = Ticker()
        limit = Throttle(bucket=2, per_second=4)
        sandbox = OrderManagerSandbox(throttle={"GET /v1/inventory": limit}, monotonic=ticker)
        assert [ask(sandbox, "/v1/inventory").status for _ in range(3)] == [200, 200, 429]
        refused = ask(sandbox, "/v1/inventory")
        assert refused.headers["x-skubana-quota-retryafter"] == "250"
        assert ask(sandbox, "/v1/warehouses").status == 200
        ticker.seconds += 0.125
        assert ask(sandbox, "/v1/inventory").headers["x-skubana-quota-retryafter"] == "125"
        ticker.seconds += 0.125
        assert ask(sandbox, "/v1/inventory").status == 200

    def test_the_promised_wait_suffices_whatever_the_clock_s_last_digits_are(self) -> None:
        ticker = Ticker()
        sandbox = OrderManagerSandbox(throttle=Throttle(bucket=1, per_second=100), monotonic=ticker)
        for _ in range(50):
            ticker.seconds += 1234.5678
            assert ask(sandbox, "/v1/inventory").status == 200
            wait = int(ask(sandbox, "/v1/inventory").headers["x-skubana-quota-retryafter"])
            assert wait == 10
            ticker.seconds += wait / 1000
            assert ask(sandbox, "/v1/inventory").status == 200

    def test_the_hourly_ceiling_holds_until_the_hour_is_over(self) -> None:
        ticker = Ticker()
        sandbox = OrderManagerSandbox(throttle=Throttle(per_hour=2), monotonic=ticker)
        assert [ask(sandbox, "/v1/inventory").status for _ in range(3)] == [200, 200, 429]
        ticker.seconds += 3599
        assert ask(sandbox, "/v1/inventory").headers["x-skubana-quota-retryafter"] == "1000"
        ticker.seconds += 1
        assert [ask(sandbox, "/v1/inventory").status for _ in range(3)] == [200, 200, 429]
        assert ask(sandbox, "/v1/inventory").headers["x-skubana-quota-retryafter"] == "3600000"

    def test_a_throttled_call_is_not_carried_out(self) -> None:
        ticker = Ticker()
        sandbox = OrderManagerSandbox(small(), throttle=Throttle(bucket=1, per_second=1), monotonic=ticker)
        ask(sandbox, ACKNOWLEDGE, ("salesChannelId", 7), ("limit", 1), method="POST")
        assert ask(sandbox, ACKNOWLEDGE, ("salesChannelId", 7), method="POST").status == 429
        ticker.seconds += 1
        assert sorted(told(acknowledge(sandbox, 7))) == ["AB", "B"]

    def test_the_limits_can_be_asked_for(self) -> None:
        limit = Throttle(bucket=5, per_second=2.5, per_hour=3600)
        rows = get(OrderManagerSandbox(throttle={"GET /v1/inventory": limit}), "/v1/throttlelimits")
        (row,) = [row for row in rows if row["requestPath"] == "/v1/inventory"]
        assert (row["requestMethod"], row["throttleConfig"]) == (
            "GET",
            {
                "appId": 41,
                "companyId": 9001,
                "quotaMaxRequest": 5,
                "quotaRestoreRate": 2.5,
                "quotaMaxRequestHourly": 3600,
            },
        )
        assert len(rows) == 14
        assert rows[0]["throttleConfig"]["quotaMaxRequest"] == 200
        assert type(rows[0]["throttleConfig"]["quotaRestoreRate"]) is int

    @pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan"), "5", True])
    def test_a_rate_is_a_number_above_0(self, rate: Any) -> None:
        with pytest.raises(InvalidValueError, match="per_second"):
            Throttle(per_second=rate)


class TestFaults:
    def test_the_nth_matching_call_and_only_that_one_goes_wrong(self) -> None:
        fault = Fault(
            on="GET /v1/inventory",
            kind="status",
            nth=2,
            status=503,
            body="busy",
            headers={"X-Why": "maintenance"},
        )
        sandbox = OrderManagerSandbox(faults=[fault])
        ask(sandbox, "/v1/warehouses")
        answers = [ask(sandbox, "/v1/inventory") for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 503, 200]
        assert (answers[1].content, answers[1].headers["x-why"]) == (b"busy", "maintenance")

    def test_times_and_query_say_how_often_and_where(self) -> None:
        page_2 = Fault(on="GET /v1/listings", kind="status", query={"page": "2"}, times=None)
        sandbox = OrderManagerSandbox(faults=[page_2])
        statuses = [ask(sandbox, "/v1/listings", ("page", page)).status for page in (1, 2, 2, 3, 2)]
        assert statuses == [200, 500, 500, 200, 500]

    def test_faults_can_be_added_and_cleared_later(self) -> None:
        sandbox = OrderManagerSandbox()
        sandbox.add_faults(Fault(on="GET /v1/warehouse/{id}", kind="html", times=None))
        page = ask(sandbox, "/v1/warehouse/701")
        assert (page.status, page.headers["content-type"]) == (200, "text/html")
        with pytest.raises(DecodeError, match="HTML"):
            page.json()
        sandbox.clear_faults()
        assert get(sandbox, "/v1/warehouse/701")["name"] == "Reno DC"

    def test_truncated_json_is_cut_in_half(self) -> None:
        fault = Fault(on="GET /v1/warehouses", kind="truncated_json")
        sandbox = OrderManagerSandbox(faults=[fault])
        with pytest.raises(DecodeError, match="cut off"):
            ask(sandbox, "/v1/warehouses").json()

    @pytest.mark.parametrize("kind", ["cut_connection", "refuse_connection_after_processing"])
    def test_a_lost_answer_was_carried_out(self, kind: str) -> None:
        fault = Fault(on=f"POST {ACKNOWLEDGE}", kind=kind)
        sandbox = OrderManagerSandbox(small(), faults=[fault])
        with pytest.raises(LostAnswerError, match="acknowledge"):
            acknowledge(sandbox, 7)
        assert told(acknowledge(sandbox, 7)) == {}
        assert [request.status for request in sandbox.requests] == [None, 200]

    def test_a_call_may_be_lost_before_it_was_carried_out(self) -> None:
        fault = Fault(on=f"POST {ACKNOWLEDGE}", kind="refuse_connection_before_processing")
        sandbox = OrderManagerSandbox(small(), faults=[fault])
        with pytest.raises(LostAnswerError):
            acknowledge(sandbox, 7)
        assert len(told(acknowledge(sandbox, 7))) == 3

    def test_a_short_page_in_the_middle_loses_no_row(self) -> None:
        whole = all_pages(OrderManagerSandbox(), "/v1.1/products", ("limit", 8))
        fault = Fault(on="GET /v1.1/products", kind="short_page", nth=2, rows=3)
        sandbox = OrderManagerSandbox(faults=[fault])
        pages = all_pages(sandbox, "/v1.1/products", ("limit", 8))
        assert [len(page) for page in pages] == [8, 5, 8, 8, 1]
        assert [row for page in pages for row in page] == [row for page in whole for row in page]
        assert all_pages(sandbox, "/v1.1/products", ("limit", 8)) == whole

    def test_a_short_page_that_is_named_holds_in_whatever_order_pages_are_asked(self) -> None:
        fault = Fault(on="GET /v1.1/products", kind="short_page", query={"page": "2"}, rows=3)
        sandbox = OrderManagerSandbox(faults=[fault])
        limit = ("limit", 10)
        pages = {page: get(sandbox, "/v1.1/products", limit, ("page", page)) for page in (4, 3, 2, 1)}
        assert [len(pages[page]) for page in (1, 2, 3, 4)] == [10, 7, 10, 3]
        assert len({sku for page in pages.values() for sku in skus(page)}) == 30

    def test_shifted_rows_repeat_the_end_of_the_page_before(self) -> None:
        fault = Fault(on="GET /v1/inventory", kind="shifted_rows", nth=2, rows=2)
        pages = all_pages(OrderManagerSandbox(faults=[fault]), "/v1/inventory")
        assert [len(page) for page in pages] == [20, 20, 7]
        assert pages[1][:2] == pages[0][-2:]
        assert len({row["productStockId"] for page in pages for row in page}) == 45

    def test_filters_page_apart_from_each_other(self) -> None:
        fault = Fault(on="GET /v1/inventory", kind="short_page", query={"warehouseId": str(RENO)})
        sandbox = OrderManagerSandbox(faults=[fault])
        assert len(get(sandbox, "/v1/inventory", ("warehouseId", RENO))) == 19
        assert len(get(sandbox, "/v1/inventory", ("page", 2))) == 20
        assert len(all_pages(OrderManagerSandbox(), "/v1/inventory", ("warehouseId", RENO))[0]) == 20

    def test_replace_edits_the_answer(self) -> None:
        def as_text(rows: Any) -> Any:
            rows[0]["onHandQuantity"] = str(rows[0]["onHandQuantity"])
            return {"results": rows}

        sandbox = OrderManagerSandbox(
            small(), faults=[Fault(on=f"GET {TOTALS}", kind="replace", edit=as_text)]
        )
        assert get(sandbox, TOTALS)["results"][0]["onHandQuantity"] == "11"
        assert get(sandbox, TOTALS)[0]["onHandQuantity"] == 11

    def test_a_refused_call_stays_refused(self) -> None:
        fault = Fault(on="GET /v1.1/products", kind="replace", edit=lambda _: [], times=None)
        assert ask(OrderManagerSandbox(faults=[fault]), "/v1.1/products", ("page", 0)).status == 422

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"kind": "chaos"}, "kind"),
            ({"kind": "replace"}, "edit"),
            ({"kind": "status", "edit": lambda answer: answer}, "edit"),
            ({"kind": "status", "nth": 0}, "nth"),
            ({"kind": "status", "times": "2"}, "times"),
            ({"kind": "status", "status": 42}, "status"),
            ({"kind": "short_page", "query": {"page": "last"}}, "page"),
            ({"kind": "short_page", "query": {"page": 2}}, "query"),
        ],
    )
    def test_a_fault_that_makes_no_sense_is_an_error(self, fields: dict[str, Any], words: str) -> None:
        with pytest.raises(InvalidValueError, match=words):
            Fault(on="GET /v1/inventory", **fields)

    def test_a_fault_names_an_endpoint_that_can_have_it(self) -> None:
        for fault in (
            Fault(on="GET /v1/inventories", kind="html"),
            Fault(on="GET /v1/warehouses", kind="short_page"),
        ):
            with pytest.raises(InvalidValueError, match="which cannot have it") as caught:
                OrderManagerSandbox(faults=[fault])
            assert caught.value.code == "fault_endpoint"
            assert "GET /v1/inventory" in caught.value.remedy
