import { describeRedelivery } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describeRedelivery(pushWorker)
