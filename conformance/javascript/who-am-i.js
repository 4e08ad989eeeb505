// A program with the AWS SDK for JavaScript as it ships: for each line of its input it says who it is, by the credentials
// that it finds.

const readline = require("node:readline");
const { GetCallerIdentityCommand, STSClient } = require("@aws-sdk/client-sts");

const sts = new STSClient({ maxAttempts: 1 });
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", async () => {
  let told;
  try {
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
    told = { Arn, Key: (await sts.config.credentials()).accessKeyId };
  } catch (error) {
    told = { Error: `${error.name}: ${error.message}` };
  }
  console.log(JSON.stringify(told));
});
