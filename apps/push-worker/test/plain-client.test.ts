import { describePlainClient } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describePlainClient(pushWorker)
