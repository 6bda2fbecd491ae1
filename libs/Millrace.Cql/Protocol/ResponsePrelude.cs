using Millrace.Cql.Wire;

namespace Millrace.Cql.Protocol;

/// <summary>What may stand before the body of any response (section 2.1, flags).</summary>
internal readonly record struct ResponsePrelude(Guid? TracingId, string[] Warnings)
{
    public bool IsEmpty => TracingId is null && Warnings.Length == 0;

    public static ResponsePrelude Read(ref WireReader reader, EnvelopeFlags flags)
    {
        Guid? tracingId = (flags & EnvelopeFlags.Tracing) != 0 ? reader.Uuid() : null;
        string[] warnings = (flags & EnvelopeFlags.Warning) != 0 ? reader.StringList() : [];
        if ((flags & EnvelopeFlags.CustomPayload) != 0) SkipPayload(ref reader);
        return new ResponsePrelude(tracingId, warnings);
    }

    private static void SkipPayload(ref WireReader reader)
    {
        for (var count = reader.Short(); count > 0; count--)
        {
            reader.String();
            reader.Bytes(out _);
        }
    }
}
