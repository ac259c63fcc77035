// A Medusa server on loopback without admin pages and Redis. It waits for a lost database two seconds instead
// of a minute; the setting of its database library for that is not among Medusa's own.
const { defineConfig } = require('@medusajs/framework/utils');
const Client = require('knex/lib/client');

const poolSettings = Client.prototype.getPoolSettings;
Client.prototype.getPoolSettings = function (given) {
  return { ...poolSettings.call(this, given), acquireTimeoutMillis: 2000 };
};

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { connection: { ssl: false } },
    http: {
      host: '127.0.0.1',
      storeCors: '',
      adminCors: '',
      authCors: '',
      jwtSecret: 'only-for-tests',
      cookieSecret: 'only-for-tests',
    },
  },
  admin: { disable: true },
});
