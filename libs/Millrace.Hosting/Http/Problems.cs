using Microsoft.AspNetCore.Http;
using Millrace.Primitives;

namespace Millrace.Hosting.Http;

/// <summary>Errors as problem details (RFC 9457), with the code as an extension.</summary>
public static class Problems
{
    public static IResult Problem(Error error, int status) => Results.Problem(
        title: error.Definition.What,
        detail: $"{error.Detail} {error.Definition.Why} {error.Definition.Remedy}".Trim(),
        statusCode: status,
        type: TypeOf(error.Code),
        extensions: new Dictionary<string, object?> { ["code"] = error.Code, ["value"] = error.Value });

    /// <summary>Where the API shows what the code means.</summary>
    public static string TypeOf(string code) => $"/errors/{code}";
}
