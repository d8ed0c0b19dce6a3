import { describeDatabaseOutage } from '@mono/test-support'
import { chatWorker } from './worker-under-test.js'

describeDatabaseOutage(chatWorker)
