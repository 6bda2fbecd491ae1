using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Extensions;
using Millrace.ObjectStore;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Saql.Files;
using Millrace.Stores.Identities;
using Millrace.Stores.Outputs;
using Millrace.Stores.Telemetry;

namespace Millrace.StreamProcessor.References;

/// <summary>
/// What queries may join with that is no stream: the devices that the hub knows, and what the installation names. Each
/// is read once for all queries of this process.
/// </summary>
internal sealed class ReferenceData
{
    private readonly Dictionary<string, SharedReference> _references = new(StringComparer.OrdinalIgnoreCase);
    private readonly IEventLog _log;
    private readonly ReferenceStores _stores;
    private readonly QueryExtensions _extensions;
    private readonly StreamProcessorOptions _options;
    private readonly TimeProvider _time;

    public ReferenceData(
        IEventLog log, ReferenceStores stores, QueryExtensions extensions,
        IOptions<QueryExtensionOptions> references, IOptions<StreamProcessorOptions> options, IMeterFactory meters,
        TimeProvider time, ILogger<ReferenceData> logger)
    {
        _log = log;
        (_stores, _extensions, _options, _time) = (stores, extensions, options.Value, time);
        Add(CompileOptions.Devices, new DeviceReference(stores.Identities, _options.ReferenceBytesMax.Bytes), logger);
        foreach (var (name, one) in references.Value.References) Add(name, SourceOf(one), logger);
        meters.Create("Millrace.StreamProcessor.References")
            .CreateObservableGauge("millrace.query.reference.age", Ages, "s");
    }

    public SharedReference Find(string name) => _references[name];

    private void Add(string name, IReferenceSource source, ILogger logger) =>
        _references.Add(name, new SharedReference(name, source, _options.ReferenceInterval, _time, logger));

    private IReferenceSource SourceOf(ReferenceOptions one)
    {
        var bytesMax = _options.ReferenceBytesMax.Bytes;
        if (one.Objects is { } key) return new ObjectReference(key, _stores.Objects, bytesMax, _time);
        if (one.Output is { } output)
        {
            var rows = new StoredTopic(Topics.Output(output), _log, _stores.Outputs.PositionAsync, _time);
            return new OutputReference(one, _stores.Outputs, rows, bytesMax, _time);
        }

        var telemetry = new StoredTopic(Topics.Telemetry, _log, _stores.Telemetry.PositionAsync, _time);
        var bodies = new TelemetryBody(_extensions, Topics.Telemetry);
        return new LatestReference(_stores.Identities, _stores.Telemetry, telemetry, bodies, bytesMax);
    }

    /// <summary>Of those that some query here joins with.</summary>
    private IEnumerable<Measurement<double>> Ages() => _references.Values.Where(one => one.IsUsed)
        .Select(one => new Measurement<double>(one.Age.TotalSeconds, StreamProcessorMetrics.Reference(one.Name)));
}

/// <summary>Where reference data may live.</summary>
internal sealed record ReferenceStores(
    IIdentityStore Identities, ITelemetryStore Telemetry, IOutputStore Outputs, IObjectStore Objects);
