import { describePooler } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describePooler(emailWorker)
