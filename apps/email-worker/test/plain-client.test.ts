import { describePlainClient } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describePlainClient(emailWorker)
