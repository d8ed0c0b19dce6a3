import { describeStop } from '@mono/test-support'
import { chatWorker } from './worker-under-test.js'

describeStop(chatWorker, { env: {} })
