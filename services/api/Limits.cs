using Millrace.Primitives;

namespace Millrace.Api;

/// <summary>Reads the parameters that many endpoints have.</summary>
internal static class Limits
{
    public const int PageRows = 100;

    /// <summary>The page's size, or an error AP-0004.</summary>
    public static int Page(int? limit, ApiOptions options) =>
        (limit ?? PageRows) is var rows && rows >= 1 && rows <= options.PageRowsMax
            ? rows
            : throw ApiErrors.BadRequest.With(limit, $"limit must be 1 to {options.PageRowsMax}.").AsException();

    /// <summary>The device id of a path, or an error MR-0001.</summary>
    public static string Device(string id) => DeviceId.Parse(id).Value;
}
