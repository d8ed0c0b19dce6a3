import { endAtSignals } from '@mono/worker-runtime/end-at-signals'

// A migration that was interrupted has failed.
endAtSignals({ code: 1 })
const [{ runMigrationsMain }, { readMigrationEnv }, { fillIdentities }] = await Promise.all([
  import('@mono/worker-runtime'),
  import('./env.js'),
  import('./fill-identities.js'),
])

await runMigrationsMain({
  name: 'audit-worker',
  schema: 'audit',
  directory: new URL('../migrations/', import.meta.url),
  readEnv: () => readMigrationEnv(),
  finish: fillIdentities,
})
