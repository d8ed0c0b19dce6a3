import { describeFleet } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describeFleet(emailWorker)
