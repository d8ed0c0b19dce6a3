import { describePooler } from '@mono/test-support'
import { chatWorker } from './worker-under-test.js'

describePooler(chatWorker)
