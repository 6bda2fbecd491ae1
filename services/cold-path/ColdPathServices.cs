using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Millrace.ColdPath;

public static class ColdPathServices
{
    /// <summary>Jobs and ad-hoc SQL over the archive. Section <c>ColdPath</c>.</summary>
    public static IServiceCollection AddMillraceColdPath(this IServiceCollection services) => services;

    /// <summary>The endpoints below /api/v1/cold.</summary>
    public static IEndpointRouteBuilder MapMillraceColdPath(this IEndpointRouteBuilder endpoints) => endpoints;
}
