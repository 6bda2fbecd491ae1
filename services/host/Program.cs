using System.CommandLine;
using Millrace.Alerts;
using Millrace.Cold;
using Millrace.DeadLetters;
using Millrace.Dev;
using Millrace.Devices;
using Millrace.Queries;
using Millrace.Run;
using Millrace.Simulate;
using Millrace.Telemetry;

var millrace = new RootCommand("Millrace: a self-hosted IoT streaming platform")
{
    DevCommand.Build(),
    RunCommands.BuildRun(),
    RunCommands.BuildCheck(),
    DeviceCommands.Build(),
    QueryCommands.Build(),
    TelemetryCommands.Build(),
    AlertCommands.Build(),
    ColdCommands.Build(),
    DeadLetterCommands.Build(),
    SimulateCommand.Build(),
};

return await millrace.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
