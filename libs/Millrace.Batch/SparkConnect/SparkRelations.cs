using Millrace.Batch.Sql;
using Millrace.Batch.SparkConnect.Protocol;

namespace Millrace.Batch.SparkConnect;

/// <summary>Makes parts of plans.</summary>
internal static class SparkRelations
{
    private const string ParameterPrefix = "p_";

    public static Relation Sql(string sql) => new() { Sql = new SQL { Query = sql } };

    public static Relation Table(string name) => new()
    {
        Read = new Read { NamedTable = new Read.Types.NamedTable { UnparsedIdentifier = SparkDialect.Name(name) } },
    };

    /// <summary>
    /// One SELECT of the dialect. Within the brackets Spark's grammar knows nothing but a query, whatever the text
    /// says.
    /// </summary>
    public static Relation Select(string sql, IReadOnlyDictionary<string, object?>? parameters)
    {
        var relation = Sql($"SELECT * FROM (\n{SparkDialect.Translate(sql, ParameterPrefix)}\n)");
        foreach (var (name, value) in parameters ?? new Dictionary<string, object?>())
        {
            relation.Sql.NamedArguments.Add(ParameterPrefix + name,
                new Expression { Literal = Literal(SqlParameters.Checked(name, value)) });
        }

        return relation;
    }

    /// <summary>The relation, which may name the others.</summary>
    public static Relation With(Relation root, IReadOnlyDictionary<string, Relation> named)
    {
        var with = new WithRelations { Root = root };
        with.References.Add(named.Select(one => new Relation
        {
            SubqueryAlias = new SubqueryAlias { Alias = SparkDialect.ViewName(one.Key), Input = one.Value },
        }));
        return with.References.Count == 0 ? root : new Relation { WithRelations = with };
    }

    /// <param name="schema">Columns with types, as a table's definition has them; null: as the files say.</param>
    /// <param name="basePath">Folders <c>name=value</c> below it are columns; null: none are.</param>
    public static Relation Parquet(IEnumerable<string> paths, string? schema = null, string? basePath = null)
    {
        var source = new Read.Types.DataSource { Format = "parquet" };
        source.Paths.Add(paths);
        if (schema is not null) source.Schema = schema;
        if (basePath is not null) source.Options.Add("basePath", basePath);
        return new Relation { Read = new Read { DataSource = source } };
    }

    /// <summary>A relation without rows.</summary>
    public static Relation Empty(string schema) => new() { LocalRelation = new LocalRelation { Schema = schema } };

    public static Relation Limit(Relation input, long rows) => rows is 0 or > int.MaxValue
        ? input
        : new Relation { Limit = new Limit { Input = input, Limit_ = (int)rows } };

    /// <summary>Its columns, and no row; the server computes nothing for it.</summary>
    public static Relation None(Relation input) => new() { Limit = new Limit { Input = input, Limit_ = 0 } };

    public static Relation Count(Relation input)
    {
        var aggregate = new Aggregate { Input = input, GroupType = Aggregate.Types.GroupType.Groupby };
        aggregate.AggregateExpressions.Add(Text("count(1)"));
        return new Relation { Aggregate = aggregate };
    }

    /// <summary>An expression in Spark's own SQL.</summary>
    public static Expression Text(string expression) => new()
    {
        ExpressionString = new Expression.Types.ExpressionString { Expression = expression },
    };

    public static Expression.Types.Literal Literal(object? value) => value switch
    {
        null => new() { Null = new DataType { Null = new DataType.Types.Null() } },
        string text => new() { String = text },
        long whole => new() { Long = whole },
        int whole => new() { Integer = whole },
        double number => new() { Double = number },
        bool flag => new() { Boolean = flag },
        DateOnly date => new() { Date = date.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber },
        DateTimeOffset time => new()
        {
            Timestamp = (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
        },
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, null),
    };
}
