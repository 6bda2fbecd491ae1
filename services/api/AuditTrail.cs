using Microsoft.AspNetCore.Http;
using Millrace.Stores.Audit;

namespace Millrace.Api;

/// <summary>Writes down who changed what, by the token of the request.</summary>
internal sealed class AuditTrail(IAuditStore store, IHttpContextAccessor context, TimeProvider time)
{
    public ValueTask AddAsync(string action, string subject, string? detail, CancellationToken ct) =>
        store.AddAsync(new AuditEntry(time.GetUtcNow(), Actor, action, subject, detail), ct);

    private string Actor => context.HttpContext?.User.Identity?.Name ?? "platform";
}
