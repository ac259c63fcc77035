// A Vendure shop on loopback with an SQLite file or a PostgreSQL, without assets, e-mail and dashboard.
//
// better-sqlite3 and not sql.js, because sql.js does not enforce foreign keys: with it a stock location that
// does not exist is accepted without a word.
require('reflect-metadata');
const path = require('path');
const { bootstrap, DefaultLogger, LogLevel, dummyPaymentHandler } = require('@vendure/core');

const place = process.env.SHOP_DATABASE;
const database = place.startsWith('postgres://')
  ? { type: 'postgres', url: place }
  : { type: 'better-sqlite3', database: place };

bootstrap({
  apiOptions: {
    hostname: '127.0.0.1',
    port: Number(process.env.SHOP_PORT),
    adminApiPath: 'admin-api',
    shopApiPath: 'shop-api',
  },
  authOptions: {
    tokenMethod: ['bearer', 'api-key'],
    superadminCredentials: { identifier: 'superadmin', password: 'superadmin' },
    cookieOptions: { secret: 'only-for-tests' },
  },
  dbConnectionOptions: { ...database, synchronize: true, logging: false },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  importExportOptions: { importAssetsDir: path.join(process.cwd(), 'assets') },
  logger: new DefaultLogger({ level: LogLevel.Info, timestamp: true }),
}).then(() => {
  console.log('SHOP READY');
}).catch(error => {
  console.error(error);
  process.exit(1);
});
