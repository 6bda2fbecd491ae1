using Microsoft.Extensions.DependencyInjection;

namespace Millrace.Hosting.Options;

/// <summary>Registers options so that all that is wrong with them is said at start, each with its key.</summary>
public static class ValidatedOptions
{
    /// <summary>
    /// Binds <typeparamref name="T"/> to the configuration section and validates it (data annotations, and any
    /// IValidateOptions that is registered) when the host starts.
    /// </summary>
    public static IServiceCollection AddValidatedOptions<T>(this IServiceCollection services, string section)
        where T : class
    {
        services.AddOptions<T>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();
        return services;
    }
}
