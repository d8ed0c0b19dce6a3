import { describeOutage } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describeOutage(auditWorker)
