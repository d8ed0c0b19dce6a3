import { runMigrationsMain } from '@mono/worker-runtime'
import { readMigrationEnv } from './env.js'

await runMigrationsMain({
  name: 'email-worker',
  schema: 'email',
  directory: new URL('../migrations/', import.meta.url),
  readEnv: () => readMigrationEnv(),
})
