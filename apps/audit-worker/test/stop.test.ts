import { describeStop } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describeStop(auditWorker, { env: { AUDIT_BATCH_SIZE: '30', PREFETCH: '60' } })
