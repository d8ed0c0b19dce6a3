// Migrations, run by migrate-process.test.ts as a process of its own.
import { migrationEnv, readEnv, runMigrationsMain } from '@mono/worker-runtime'

// biome-ignore lint/style/noProcessEnv: this is the entry file of a process
const env = process.env

await runMigrationsMain({
  name: 'audit-worker',
  schema: 'audit',
  directory: env.DIRECTORY ?? '',
  readEnv: () => readEnv(migrationEnv(), env),
})
