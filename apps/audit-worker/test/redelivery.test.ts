import { describeRedelivery } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describeRedelivery(auditWorker)
