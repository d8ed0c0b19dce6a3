import { describeFleet } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describeFleet(auditWorker)
