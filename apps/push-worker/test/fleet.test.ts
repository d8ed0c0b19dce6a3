import { describeFleet } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describeFleet(pushWorker)
