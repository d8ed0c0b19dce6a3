import { runMigrationsMain } from '@mono/worker-runtime'
import { readMigrationEnv } from './env.js'

await runMigrationsMain({
  name: 'push-worker',
  schema: 'push',
  directory: new URL('../migrations/', import.meta.url),
  readEnv: () => readMigrationEnv(),
})
