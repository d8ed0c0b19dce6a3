import { describePooler } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describePooler(auditWorker)
