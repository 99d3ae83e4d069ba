	$vector_ext$;
END
$alias$;
