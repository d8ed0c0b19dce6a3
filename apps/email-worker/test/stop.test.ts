import { describeStop } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describeStop(emailWorker, { env: { PREFETCH: '30' } })
