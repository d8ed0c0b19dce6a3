import { runMigrationsMain } from '@mono/worker-runtime'
import { readMigrationEnv } from './env.js'

await runMigrationsMain({
  name: 'audit-worker',
  schema: 'audit',
  directory: new URL('../migrations/', import.meta.url),
  readEnv: () => readMigrationEnv(),
})
