import { runMigrationsMain } from '@mono/worker-runtime'
import { readMigrationEnv } from './env.js'

await runMigrationsMain({
  name: 'chat-worker',
  schema: 'chat',
  directory: new URL('../migrations/', import.meta.url),
  readEnv: () => readMigrationEnv(),
})
