using System.CommandLine;
using System.CommandLine.Invocation;
using Millrace.Alerts;
using Millrace.Archive;
using Millrace.Bridges;
using Millrace.Client;
using Millrace.Cold;
using Millrace.DeadLetters;
using Millrace.Dev;
using Millrace.Devices;
using Millrace.Health;
using Millrace.Learning;
using Millrace.Queries;
using Millrace.Run;
using Millrace.Secrets;
using Millrace.Simulate;
using Millrace.Telemetry;
using Millrace.Upgrades;

var millrace = new RootCommand("Millrace: a self-hosted IoT streaming platform")
{
    DevCommand.Build(),
    RunCommands.BuildRun(),
    RunCommands.BuildCheck(),
    HealthCommand.Build(),
    CertificateCommands.Build(),
    DeviceCommands.Build(),
    QueryCommands.Build(),
    TelemetryCommands.Build(),
    AlertCommands.Build(),
    ColdCommands.Build(),
    ModelCommands.Build(),
    ArchiveCommands.Build(),
    DeadLetterCommands.Build(),
    BridgeCommands.Build(),
    UpgradeCommands.Build(),
    SimulateCommand.Build(),
};

var parsed = millrace.Parse(args);

// A slip in one option does not need a page of help; a missing verb does.
if (parsed.Action is ParseErrorAction wrong) wrong.ShowHelp = parsed.CommandResult.Command.Subcommands.Count > 0;

// A platform takes the time that it needs to drain: its own limits end it.
var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
return parsed.Errors.Count > 0 ? Verb.Usage : code;
