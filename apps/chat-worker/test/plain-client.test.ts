import { describePlainClient } from '@mono/test-support'
import { chatWorker } from './worker-under-test.js'

describePlainClient(chatWorker)
