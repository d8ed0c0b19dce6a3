import { describePooler } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describePooler(pushWorker)
