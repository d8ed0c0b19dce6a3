import { describeDatabaseOutage } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describeDatabaseOutage(emailWorker)
