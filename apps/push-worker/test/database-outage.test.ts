import { describeDatabaseOutage } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describeDatabaseOutage(pushWorker)
