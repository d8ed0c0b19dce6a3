import { describeDefinitions, describeEnvironment, describeStartUp } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describeEnvironment(emailWorker)
describeStartUp(emailWorker)
describeDefinitions(emailWorker)
