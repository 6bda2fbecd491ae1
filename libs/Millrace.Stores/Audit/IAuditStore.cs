namespace Millrace.Stores.Audit;

/// <summary>Who changed what.</summary>
public sealed record AuditEntry(
    DateTimeOffset At, string Actor, string Action, string Subject, string? Detail);

public interface IAuditStore
{
    ValueTask AddAsync(AuditEntry entry, CancellationToken ct = default);

    /// <summary>Newest first.</summary>
    ValueTask<Page<AuditEntry>> ListAsync(int limit, string? continuation, CancellationToken ct = default);
}
