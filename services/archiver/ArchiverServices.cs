using Microsoft.Extensions.DependencyInjection;

namespace Millrace.Archiver;

public static class ArchiverServices
{
    /// <summary>The archiver: from the telemetry topic to the archive's table. Section <c>Archiver</c>.</summary>
    public static IServiceCollection AddMillraceArchiver(this IServiceCollection services) => services;
}
