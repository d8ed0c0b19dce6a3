import { describeFleet } from '@mono/test-support'
import { chatWorker } from './worker-under-test.js'

describeFleet(chatWorker)
