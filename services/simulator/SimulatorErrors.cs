using Millrace.Primitives;

namespace Millrace.Simulator;

/// <summary>Errors of the simulator.</summary>
public static class SimulatorErrors
{
    public static readonly ErrorDefinition ScenarioUnknown = new("SI-0001",
        "The scenario is not known.",
        "It is neither drones, machines, nor a file that can be read.",
        "Give drones, machines, or the path of a scenario file.");

    public static readonly ErrorDefinition ScenarioInvalid = new("SI-0002",
        "The scenario file is not valid.",
        "It must be a JSON object with messages, each with an interval and fields.",
        "Look at docs/simulator.md for the form.");
}
