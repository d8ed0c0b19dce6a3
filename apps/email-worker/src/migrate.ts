import { endAtSignals } from '@mono/worker-runtime/end-at-signals'

// A migration that was interrupted has failed.
endAtSignals({ code: 1 })
const [{ runMigrationsMain }, { readMigrationEnv }, { normalizeStoredAddresses }] = await Promise.all([
  import('@mono/worker-runtime'),
  import('./env.js'),
  import('./normalize-stored-addresses.js'),
])

await runMigrationsMain({
  name: 'email-worker',
  schema: 'email',
  directory: new URL('../migrations/', import.meta.url),
  readEnv: () => readMigrationEnv(),
  finish: normalizeStoredAddresses,
})
