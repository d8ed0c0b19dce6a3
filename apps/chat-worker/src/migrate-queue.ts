import { endAtSignals } from '@mono/worker-runtime/end-at-signals'

// A migration that was interrupted has to be run again.
endAtSignals({ code: 1 })
await import('./queue-migration.js')
