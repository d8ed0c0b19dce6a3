import { endAtSignals } from '@mono/worker-runtime/end-at-signals'

endAtSignals({ code: 0 })
await import('./worker.js')
