import { describePlainClient } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describePlainClient(auditWorker)
