using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Portcullis.Commands;

/// <summary>Form of the application log; it goes to standard error.</summary>
internal enum LogFormat
{
    /// <summary>One readable line an event.</summary>
    Text,

    /// <summary>One JSON object an event.</summary>
    Json,
}

/// <summary>Options and set-up of the application log.</summary>
internal static class LogOptions
{
    public static Option<LogFormat> Format() => new("--log-format") { Description = "Form of the application log on standard error." };

    public static Option<LogLevel> Level() => new("--log-level")
    {
        Description = "Least severe level that is logged.",
        DefaultValueFactory = _ => LogLevel.Information,
    };

    public static ILoggerFactory CreateFactory(LogFormat format, LogLevel level) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(level);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Yarp", LogLevel.Error);
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (format == LogFormat.Json)
        {
            logging.AddJsonConsole(json =>
            {
                json.UseUtcTimestamp = true;
                json.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            });
        }
        else
        {
            logging.AddSimpleConsole(text =>
            {
                text.SingleLine = true;
                text.UseUtcTimestamp = true;
                text.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            });
        }
    });
}
