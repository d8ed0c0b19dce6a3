import { describeOutage } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describeOutage(pushWorker)
