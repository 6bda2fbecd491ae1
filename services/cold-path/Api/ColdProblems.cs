using Microsoft.AspNetCore.Http;
using Millrace.Batch;
using Millrace.Delta;
using Millrace.Hosting.Http;
using Millrace.Models;
using Millrace.Primitives;

namespace Millrace.ColdPath.Api;

/// <summary>Answers for what went wrong.</summary>
internal static class ColdProblems
{
    private static readonly Dictionary<ErrorDefinition, int> Statuses = new()
    {
        [ColdPathErrors.JobUnknown] = StatusCodes.Status404NotFound,
        [ColdPathErrors.RunUnknown] = StatusCodes.Status404NotFound,
        [ColdPathErrors.ResultUnknown] = StatusCodes.Status404NotFound,
        [ColdPathErrors.JobBusy] = StatusCodes.Status409Conflict,
        [ColdPathErrors.PartGone] = StatusCodes.Status409Conflict,
        [ColdPathErrors.LeaseLost] = StatusCodes.Status503ServiceUnavailable,
        [ColdPathErrors.RunFailed] = StatusCodes.Status500InternalServerError,
        [ColdPathErrors.ClassFailed] = StatusCodes.Status500InternalServerError,
        [ModelErrors.Unknown] = StatusCodes.Status404NotFound,
        [ModelErrors.PromotionConflict] = StatusCodes.Status409Conflict,
        [ModelErrors.NothingBefore] = StatusCodes.Status409Conflict,
        [ModelErrors.ContentDamaged] = StatusCodes.Status500InternalServerError,
        [DeltaErrors.VersionGone] = StatusCodes.Status404NotFound,
        [DeltaErrors.FileVacuumed] = StatusCodes.Status410Gone,
        [BatchErrors.TimedOut] = StatusCodes.Status504GatewayTimeout,
        [BatchErrors.Unreachable] = StatusCodes.Status503ServiceUnavailable,
        [BatchErrors.SessionLost] = StatusCodes.Status503ServiceUnavailable,
        [BatchErrors.Interrupted] = StatusCodes.Status503ServiceUnavailable,
        [BatchErrors.Failed] = StatusCodes.Status500InternalServerError,
        [BatchErrors.CredentialRefused] = StatusCodes.Status500InternalServerError,
        [BatchErrors.NoAddress] = StatusCodes.Status500InternalServerError,
    };

    public static IResult Guard(Func<IResult> work)
    {
        try
        {
            return work();
        }
        catch (MillraceException e)
        {
            return Problems.Problem(e.Error, StatusOf(e.Error));
        }
    }

    public static async Task<IResult> GuardAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (MillraceException e)
        {
            return Problems.Problem(e.Error, StatusOf(e.Error));
        }
    }

    private static int StatusOf(Error error)
    {
        if (Statuses.TryGetValue(error.Definition, out var status)) return status;
        var isCallers = error.Code.StartsWith("CP-", StringComparison.Ordinal)
            || error.Code.StartsWith("BA-", StringComparison.Ordinal)
            || error.Code.StartsWith("MO-", StringComparison.Ordinal);
        return isCallers ? StatusCodes.Status400BadRequest : StatusCodes.Status500InternalServerError;
    }
}
