import { describeDatabaseOutage } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describeDatabaseOutage(auditWorker)
