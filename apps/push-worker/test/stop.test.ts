import { describeStop } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describeStop(pushWorker, { env: { PREFETCH: '30' } })
